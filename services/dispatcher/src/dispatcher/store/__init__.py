"""Shipments, waves and routes in PostgreSQL."""

from dispatcher.store.board import load, partition_of_location, save
from dispatcher.store.queries import PostgresDispatches

__all__ = ["PostgresDispatches", "load", "partition_of_location", "save"]
