"""What the dispatcher decides: pure, with no I/O, no clock and no random."""
