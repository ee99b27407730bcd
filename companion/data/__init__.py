"""The data of the course, all made or read where it runs.

- ``town``: a small invented town, in Korean and in English, for every task of the course
"""
