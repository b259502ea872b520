"""Tokens a second and memory of LoRA and of generate on a GPU by Hugging Face and PEFT. See scripts/bench/gpu."""
import statistics
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

folder = sys.argv[1]
TOKENS, PROMPT, DRAWN, ROUNDS = 2048, 55, 128, 3
torch.manual_seed(1)
print(f"transformers and PEFT on {torch.cuda.get_device_name(0)}, bfloat16, torch {torch.__version__}")
print("| what | tokens/s (least to greatest) | GPU memory taken GiB |")
print("|---|---|---|")


def row(what, speeds):
    free, total = torch.cuda.mem_get_info()
    print(f"| {what} | {statistics.median(speeds):,.0f} ({min(speeds):,.0f} to {max(speeds):,.0f}) | {(total - free) / 2**30:.1f} |", flush=True)


model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).cuda()
lora = LoraConfig(r=32, lora_alpha=32, use_rslora=True, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"], task_type="CAUSAL_LM")
model = get_peft_model(model, lora)
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=5e-4, weight_decay=0.01)
model.train()
for batch in (1, 4):
    for again in (False, True):
        if again:
            model.enable_input_require_grads()
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        else:
            model.gradient_checkpointing_disable()
        ids = torch.randint(100, 100_000, (2, batch, TOKENS), device="cuda")
        speeds = []
        for round in range(-1, ROUNDS):
            begin = time.perf_counter()
            for i in range(2):
                labels = ids[i].clone()
                labels[:, :PROMPT] = -100
                (model(input_ids=ids[i], labels=labels).loss / 2).backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            torch.cuda.synchronize()
            if round >= 0:
                speeds.append(2 * batch * TOKENS / (time.perf_counter() - begin))
        row(f"training, {batch} × 2,048 tokens a pass, {'gradient checkpointing' if again else 'graph kept'}", speeds)
model.gradient_checkpointing_disable()
model.eval()
for rows in (64, 256):
    prompt = torch.randint(100, 100_000, (1, PROMPT), device="cuda").repeat(rows, 1)
    speeds = []
    for round in range(-1, ROUNDS):
        begin = time.perf_counter()
        with torch.no_grad():
            model.generate(input_ids=prompt, attention_mask=torch.ones_like(prompt), do_sample=False, min_new_tokens=DRAWN, max_new_tokens=DRAWN, pad_token_id=0)
        torch.cuda.synchronize()
        if round >= 0:
            speeds.append(rows * DRAWN / (time.perf_counter() - begin))
    row(f"generating greedily, {rows} rows of 128 tokens", speeds)
