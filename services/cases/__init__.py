"""Administrative penalties (行政处罚): clue to closing, with coercive measures and transfers."""
