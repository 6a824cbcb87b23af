// Copydesk's own script: what Gradio's components do not do.
"use strict";
