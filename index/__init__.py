"""Articles in, searchable passages out."""

import os

# Libraries that would report their use to their makers, or fetch what nobody asked for. Read when they are imported.
os.environ |= {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime looks up a host of Microsoft in every process; its own switch does not
    "ANONYMIZED_TELEMETRY": "False",  # chromadb
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}
