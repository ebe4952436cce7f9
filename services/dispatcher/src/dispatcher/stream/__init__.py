"""What comes in: the fulfilment topic, and the plans that are made of it.

Nothing is imported here: the solver's process loads `stream.worker` alone, and starts quickly.
"""
