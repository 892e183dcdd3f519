"""Speed, beside named rivals: ``make bench``. Cases live in ``case_*.py``; ``bench.py`` says how to write one."""
