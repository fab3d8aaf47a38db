"""One folder a service; none imports another, `services.launch` alone imports all."""
