"""One module for each row of the table: ``measure(setting)`` gives its figures."""
