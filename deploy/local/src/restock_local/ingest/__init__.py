"""Files through the HTTP door: streamed, resumable, what is refused set aside."""
