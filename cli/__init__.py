"""The command ``yinxin``. Heavy imports stand inside the commands, so that each loads only what it uses."""
