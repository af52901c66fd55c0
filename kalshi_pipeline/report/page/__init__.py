"""The report as one HTML page that needs no network: small tables in, text out.

Every picture is a table first (bars and shades are drawn with CSS inside its cells), so it reads the same on a phone,
on paper and through a screen reader.
"""
