"""The vocabulary of the house: frozen values and closed lists. Imports nothing of fleetscan but itself."""
