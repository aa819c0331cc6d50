"""Building a release of the catalog beside the live one."""
