"""The same model and step in PyTorch: forward, backward and AdamW on Adult's encoding, one thread."""
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

SIZES = [74, 9, 99, 32, 16, 16, 7, 15, 6, 5, 2, 121, 94, 94, 41, 2]
D, LAYERS, HEADS, BATCH, ROUNDS = 64, 2, 4, 256, 5


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(D, 3 * D, bias=False)
        self.out = nn.Linear(D, D, bias=False)
        self.up = nn.Linear(D, 4 * D, bias=False)
        self.down = nn.Linear(4 * D, D, bias=False)

    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = self.qkv(F.layer_norm(x, (D,))).view(b, t, 3, HEADS, D // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
        o = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(o.transpose(1, 2).reshape(b, t, D))
        return x + self.down(F.gelu(self.up(F.layer_norm(x, (D,)))))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(sum(SIZES[:-1]) + len(SIZES) - 1, D)
        self.position = nn.Parameter(torch.randn(len(SIZES), D) * 0.1)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.heads = nn.ModuleList(nn.Linear(D, v) for v in SIZES)

    def forward(self, inputs, targets):
        x = self.embedding(inputs)
        x = torch.cat([torch.zeros(x.shape[0], 1, D), x], 1) + self.position
        for block in self.blocks:
            x = block(x)
        x = F.layer_norm(x, (D,))
        return sum(F.cross_entropy(head(h), t) for head, h, t in zip(self.heads, x.unbind(1), targets.unbind(1)))


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = Decoder()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.98), fused=True)
    targets = torch.stack([torch.randint(v, (BATCH,)) for v in SIZES], 1)
    inputs = targets[:, :-1].clone()
    offset = 0
    for t, v in enumerate(SIZES[:-1]):
        inputs[:, t] += offset
        offset += v + 1
    speeds = []
    for round in range(ROUNDS + 1):
        begin, steps = time.perf_counter(), 0
        while time.perf_counter() - begin < 1.5:
            optimizer.zero_grad()
            model(inputs, targets).backward()
            optimizer.step()
            steps += 1
        speeds.append(steps * BATCH / (time.perf_counter() - begin))
    speeds = speeds[1:]
    speed = statistics.median(speeds)
    flop = 6 * (12 * D * D * LAYERS * len(SIZES) + sum(SIZES) * D)
    print(f"| PyTorch {torch.__version__}, one thread | {speed:.0f} ({min(speeds):.0f} to {max(speeds):.0f}) "
          f"| {speed * len(SIZES):.0f} | {speed * flop / 1e9:.1f} |")


if __name__ == "__main__":
    main()
