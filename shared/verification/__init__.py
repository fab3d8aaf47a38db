"""What an auditor asks of a service: whether anything was changed behind the platform's back."""
