"""What every service of EcoCase (环案通) stands on; it knows no service."""
