"""The one way out: every byte that leaves this machine unasked is sent here."""
