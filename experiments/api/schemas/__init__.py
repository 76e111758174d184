"""What the API's answers hold, for their description only: hot answers are written without a serializer.

One module a noun. ``tests/contract/test_description_is_true.py`` compares them with what a real server answers.
"""
