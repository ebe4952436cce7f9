"""The vehicle routing problem: stated in domain terms, solved by either engine, checked apart."""
