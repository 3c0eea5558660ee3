// {T}ODO: finish this.
