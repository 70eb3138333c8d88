"""The one reader of the environment.

`env.str("NAME")`, `env.int(...)`, `env.bool(...)`, `env.list(...)` read the variable NAME, or the file that NAME_FILE
names (for secrets). A missing or ill-typed value raises `environs.EnvError`, whose message names the variable.
"""

from environs import FileAwareEnv

env = FileAwareEnv(strip_whitespace=True)
