"""What `restock bench forecast` is made of."""
