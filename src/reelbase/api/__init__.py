"""The REST API: JSON over HTTP. Every question goes to `catalog` or `imports`; here are only its words."""
