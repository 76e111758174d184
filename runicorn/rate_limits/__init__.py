"""How many requests a client may send: what is built in, and the user's rate_limits.json.

The command line changes that file and the web process obeys it; both read it here. The format is that of 0.4.1; its
keys, and which limit is in force for a request: docs/design/0011-rate-limits.md.
"""
