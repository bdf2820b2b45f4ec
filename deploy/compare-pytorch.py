#!/usr/bin/python3
"""Times a training step in PyTorch beside 'fedseg bench step': the same layers, loss, optimiser, batch and patch, in turns on one machine.

    apt-get install python3-torch
    deploy/compare-pytorch.py --job deploy/experiments/hippocampus.yaml --steps 10 --turns 3

Prints seconds a step of every turn and how many times as long PyTorch takes (above 1: FedSeg is faster). The network is built from what
'fedseg bench step --job' says of it; FedSeg's step includes its loader and, where the job asks for it, augmentation, PyTorch's does not.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

FEDSEG = os.environ.get("FEDSEG", str(Path(__file__).parents[1] / "artifacts/bin/FedSeg.Cli/release/fedseg.dll"))


class Block(nn.Sequential):
    """A convolution with instance norm and leaky ReLU."""

    def __init__(self, inputs, outputs, kernel, stride=(1, 1, 1)):
        super().__init__(
            nn.Conv3d(inputs, outputs, kernel, stride, [extent // 2 for extent in kernel]),
            nn.InstanceNorm3d(outputs, affine=True),
            nn.LeakyReLU(0.01, inplace=True))


class UNet(nn.Module):
    """FedSeg's plain U-Net of a topology; its forward pass gives the logits of every head, finest first."""

    def __init__(self, topology, classes):
        super().__init__()
        stages = topology["stages"]
        self.encoder, self.ups, self.decoder = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        inputs = 1
        for stage in stages:
            widths = [inputs] + [stage["features"]] * stage["blocks"]
            self.encoder.append(nn.Sequential(*[
                Block(widths[i], widths[i + 1], stage["kernel"], stage["stride"] if i == 0 else (1, 1, 1)) for i in range(stage["blocks"])]))
            inputs = stage["features"]
        for fine, coarse in zip(stages, stages[1:]):
            width = fine["features"]
            self.ups.append(nn.ConvTranspose3d(coarse["features"], width, coarse["stride"], coarse["stride"]))
            self.decoder.append(nn.Sequential(*[
                Block(2 * width if i == 0 else width, width, fine["kernel"]) for i in range(topology["decoderConvolutions"])]))
        levels = max(1, len(stages) - 2) if topology["deepSupervision"] else 1
        self.heads = nn.ModuleList(nn.Conv3d(stages[level]["features"], classes, 1) for level in range(levels))

    def forward(self, image):
        skips = []
        for stage in self.encoder:
            image = stage(image)
            skips.append(image)
        logits = [None] * len(self.heads)
        for level in reversed(range(len(self.decoder))):
            image = self.decoder[level](torch.cat([self.ups[level](image), skips[level]], 1))
            if level < len(self.heads):
                logits[level] = self.heads[level](image)
        return logits


def loss_of(heads, target, batch_dice):
    """Cross-entropy and soft Dice without background, the heads weighted by halves."""
    weights = [0.5 ** i for i in range(len(heads))]
    total = 0
    for weight, logits in zip(weights, heads):
        truth = functional.interpolate(target[:, None].float(), logits.shape[2:], mode="nearest-exact")[:, 0].long()
        axes = (0, 2, 3, 4) if batch_dice else (2, 3, 4)
        predicted = logits.softmax(1)[:, 1:]
        reference = functional.one_hot(truth, logits.shape[1]).movedim(-1, 1)[:, 1:].float()
        dice = (2 * (predicted * reference).sum(axes) + 1e-5) / (predicted.sum(axes) + reference.sum(axes) + 1e-5).clamp_min(1e-8)
        total = total + weight / sum(weights) * (functional.cross_entropy(logits, truth) - dice.mean())
    return total


def time_fedseg(job, steps):
    command = ["dotnet", FEDSEG, "bench", "step", "--job", job, "--steps", str(steps), "--device", "cpu", "--json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def time_pytorch(measured, steps):
    torch.manual_seed(1)
    network = UNet(measured["topology"], measured["classes"])
    optimizer = (
        torch.optim.AdamW(network.parameters(), 1e-3) if measured["optimizer"] == "adamW"
        else torch.optim.SGD(network.parameters(), 1e-2, momentum=0.99, nesterov=True, weight_decay=3e-5))
    images = torch.randn(measured["batchSize"], 1, *measured["patchVoxels"])
    target = torch.randint(0, measured["classes"], images.shape[:1] + images.shape[2:])
    for step in range(-2, steps):
        if step == 0:
            started = time.perf_counter()
        optimizer.zero_grad()
        loss_of(network(images), target, measured["batchDice"]).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 12)
        optimizer.step()
    return (time.perf_counter() - started) / steps


def main():
    parser = argparse.ArgumentParser(description="A training step in PyTorch beside FedSeg's.")
    parser.add_argument("--job", required=True, help="a job file that names a plain U-Net")
    parser.add_argument("--steps", type=int, default=10, help="counted steps a turn; two more go before them")
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    ours, theirs = [], []
    for turn in range(1, asked.turns + 1):
        measured = time_fedseg(asked.job, asked.steps)
        if measured["architecture"] not in ("unet3d", "unet"):
            sys.exit(f"{asked.job}: {measured['architecture']} has no twin here; only unet3d and unet have.")
        torch.set_num_threads(measured["threads"])
        ours.append(1 / measured["stepsPerSecond"])
        theirs.append(time_pytorch(measured, asked.steps))
        print(f"turn {turn}: FedSeg {ours[-1]:.3f} s a step, PyTorch {torch.__version__} {theirs[-1]:.3f} s", flush=True)
    print(f"{measured['threads']} threads, patch {measured['patchVoxels']}, batch {measured['batchSize']}: "
          f"PyTorch takes {statistics.median(theirs) / statistics.median(ours):.2f} times as long (medians)")


if __name__ == "__main__":
    main()
