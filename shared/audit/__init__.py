"""The audit trail (审计日志): who read, was refused, signed in or administered; chained, kept."""
