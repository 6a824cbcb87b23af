"""Language models that write: in this process, on a server of one's own, or at a provider. All are LlamaIndex LLMs.

`models` alone imports llama-index, which takes 2 s: it is imported when a model is first used.
"""
