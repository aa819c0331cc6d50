"""From chunks to rows: staging tables, COPY, the sift for what PostgreSQL refuses, and the ledger of it all."""
