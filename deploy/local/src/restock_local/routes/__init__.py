"""`restock routes`: solve a routing problem from a file, and look at what came out."""
