"""Ruin and recreate over arrays, compiled to machine code."""
