"""From staged rows to a release that readers see: keys and indexes, checks, the swap, rollback."""
