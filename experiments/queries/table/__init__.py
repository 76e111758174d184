"""The runs table: the choices in its address, its columns, a page of rows, and groups."""
