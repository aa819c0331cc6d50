"""What people give us, as files with a size and a fingerprint."""
