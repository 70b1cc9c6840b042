"""Public systems, run by their own code from a checkout that the user made: none of it is here."""
