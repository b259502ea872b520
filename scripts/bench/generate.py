"""Rows a second of Hugging Face's generate: batches of 64 sequences of one record, one thread. See scripts/bench/generate."""
import json
import sys
import time

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, StoppingCriteria

base, run, rows, kind = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
torch.set_num_threads(1)
torch.manual_seed(1)
tokenizer = AutoTokenizer.from_pretrained(base)
model = AutoModelForCausalLM.from_pretrained(base, dtype=getattr(torch, kind))
model = PeftModel.from_pretrained(model, run + "/adapter").merge_and_unload().eval()
columns = [c["name"] for c in json.load(open(run + "/schema.json"))["columns"]]
prompt = (
    "user\n Generate a JSONL dataset with the following columns:  "
    + ",".join(f'"{c}":<unk>' for c in columns)
    + " \n assistant\n"
)
try:
    longest = 2 * json.load(open(run + "/adapter/context.json"))["longest_record"] + 64  # as here
except (OSError, KeyError):
    longest = 2048 - 200
ids = tokenizer.encode(prompt, add_special_tokens=False) + [tokenizer.convert_tokens_to_ids("<|im_start|>")]


class OneLine(StoppingCriteria):
    """Ends a sequence at the end of its first line with a record, as this project's sampling does."""

    def __call__(self, input_ids, scores, **kwargs):
        texts = tokenizer.batch_decode(input_ids[:, len(ids) :])
        return torch.tensor(["\n" in t.partition("{")[2] for t in texts])


valid = tokens = passes = 0
begin = time.time()
while valid < rows:
    batch = torch.tensor([ids] * 64)
    with torch.no_grad():
        out = model.generate(
            batch,
            attention_mask=torch.ones_like(batch),
            do_sample=True,
            temperature=0.9,
            top_k=0,
            top_p=1.0,
            max_new_tokens=longest,
            stopping_criteria=[OneLine()],
        )
    passes += out.shape[1] - len(ids)
    for row in out[:, len(ids) :]:
        tokens += int((row != tokenizer.pad_token_id).sum())
        for line in tokenizer.decode(row, skip_special_tokens=True).split("\n"):
            try:
                record = json.loads(line)
                valid += isinstance(record, dict) and all(c in record for c in columns)
            except ValueError:
                pass
seconds = time.time() - begin
print(
    f"Hugging Face generate in {kind}, batch 64: {valid} rows in {seconds:.1f} s, {valid / seconds:.2f} rows/s, "
    f"{tokens} tokens, {tokens / seconds:.0f} tokens/s, {passes} passes"
)
