"""How fast the platform is, as ratios against a bare baseline in the same run (`make bench`)."""
