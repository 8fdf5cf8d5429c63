"""Checks for the exercises: each takes the reader's function (or value) and says "right", or what is off."""
