"""Administrative penalties (行政处罚): from clue to closing, with coercive measures and transfers."""
