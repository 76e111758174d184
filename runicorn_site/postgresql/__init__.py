"""Django's database backend for PostgreSQL, so that texts sort, compare and are kept as they are in SQLite."""
