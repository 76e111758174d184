"""One module a noun; every view parses its request, calls one query or service, and represents what comes back."""
