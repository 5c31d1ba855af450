"""Talks to a server that speaks KFP's API v2beta1."""

from ferroflow.client.client import Client, RunPipelineResult
from ferroflow.client.connection import ApiException
from ferroflow.client.resource import Resource
from ferroflow.client.run import Run

__all__ = ['ApiException', 'Client', 'Resource', 'Run', 'RunPipelineResult']
