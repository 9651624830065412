# ipykernel warns at every start that it talks over TCP; on one machine that is how it talks.
c = get_config()  # noqa: F821
c.IPKernelApp.log_level = 40
