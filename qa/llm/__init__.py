"""Language models that write: in this process, on a server of one's own, or at a provider. All are LlamaIndex LLMs.

`providers` knows which there are, their addresses and keys; `load` makes one of a spec, `write` has it write. The last
two import llama-index, which takes 2 s; the package itself imports nothing.
"""
