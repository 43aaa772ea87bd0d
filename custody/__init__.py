"""The process that holds private keys: it checks each use itself and keeps its own record of uses; and its client."""
