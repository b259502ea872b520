#!/bin/bash
# Cluster init script: the libraries of CUDA 13, cuDNN 9 and NCCL 2 that the job jar built with -Pgpu loads.
# Copy it to the volume beside the jar; the driver of NVIDIA comes with the GPU runtime and must know CUDA 13.
set -euo pipefail
python3 -m pip install --no-deps --quiet --target /opt/cuda13 nvidia-cuda-runtime==13.0.* nvidia-cuda-cupti==13.0.* \
  'nvidia-cublas==13.*' 'nvidia-cudnn-cu13==9.*' nvidia-nccl-cu13 nvidia-cufft nvidia-curand nvidia-cusparse \
  nvidia-cusolver nvidia-cufile nvidia-nvjitlink
printf '%s\n' /opt/cuda13/nvidia/{cu13,cudnn,nccl}/lib > /etc/ld.so.conf.d/cuda13.conf
ldconfig
