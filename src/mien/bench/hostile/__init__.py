"""Inputs that mean no good, for the library, the command line and the API."""
