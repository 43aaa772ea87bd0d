"""HTTP: routes, bodies, callers, problem documents."""
