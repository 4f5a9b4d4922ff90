"""What is not the product: stand-ins for the engines that it works with."""
