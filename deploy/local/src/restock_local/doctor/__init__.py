"""Looks at what a service stands on, and says what to do."""
