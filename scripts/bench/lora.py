"""Tokens a second of LoRA by Hugging Face and PEFT: steps of 2 examples of one shape. See scripts/bench/lora."""
import statistics
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

base, tokens, prompt, threads, checkpoints = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5] == "true"
kind = sys.argv[6]
PASSES, ROUNDS = 2, 3
torch.set_num_threads(threads)
torch.manual_seed(1)
model = AutoModelForCausalLM.from_pretrained(base, dtype=getattr(torch, kind))
config = LoraConfig(r=32, lora_alpha=32, use_rslora=True, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"], task_type="CAUSAL_LM")
model = get_peft_model(model, config)
if checkpoints:
    model.enable_input_require_grads()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
model.train()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-4, weight_decay=0.01)
ids = torch.randint(100, 40_000, (PASSES, tokens))
labels = ids.clone()
labels[:, :prompt] = -100
speeds = []
for round in range(-1, ROUNDS):
    begin = time.perf_counter()
    for i in range(PASSES):
        loss = model(input_ids=ids[i : i + 1], labels=labels[i : i + 1]).loss / PASSES
        loss.backward()
    torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
    optimizer.step()
    optimizer.zero_grad()
    if round >= 0:
        speeds.append(PASSES * tokens / (time.perf_counter() - begin))
what = "gradient checkpointing" if checkpoints else "graph kept"
print(f"| transformers and PEFT in {kind}, {what} | {threads} | {statistics.median(speeds):.0f} ({min(speeds):.0f} to {max(speeds):.0f}) |")
