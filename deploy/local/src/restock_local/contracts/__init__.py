"""The contracts as documents: OpenAPI, AsyncAPI and a JSON Schema for each event."""
