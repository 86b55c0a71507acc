{{/* The name of the program, in labels. */}}
{{- define "vitals-server.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of the objects: the release's, with the chart's if the release has another name. */}}
{{- define "vitals-server.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- $release := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- .Values.fullnameOverride | default $release | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "vitals-server.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{- define "vitals-server.serviceAccountName" -}}
{{- $default := ternary (include "vitals-server.fullname" .) "default" .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default $default }}
{{- end }}

{{/* They cannot change after the first installation, so there is only one. */}}
{{- define "vitals-server.selectorLabels" -}}
app.kubernetes.io/name: {{ include "vitals-server.name" . }}
{{- end }}

{{/* The labels of an object, with labels of its own: (dict "root" $ "own" …) */}}
{{- define "vitals-server.labels" -}}
{{- $selector := include "vitals-server.selectorLabels" .root | fromYaml }}
{{- $default := dict "app.kubernetes.io/component" "metrics-server" "app.kubernetes.io/part-of" "kubevitals" }}
{{- merge $selector (.own | default dict) (.root.Values.commonLabels | default dict) $default | toYaml }}
{{- end }}

{{/* Empty if the serving certificate comes from a Secret: the server has one of its own, or cert-manager or somebody else makes it. */}}
{{- define "vitals-server.ownCertificate" -}}
{{- if has .Values.tls.type (list "vitals-server" "metrics-server") }}true{{ end }}
{{- end }}

{{/* Whether the server writes its CA into its APIServices. If they are not verified, there is no CA to write. */}}
{{- define "vitals-server.managesCA" -}}
{{- if and (include "vitals-server.ownCertificate" .) (not .Values.apiService.insecureSkipTLSVerify) }}true{{ end }}
{{- end }}

{{/* The Secret with the serving certificate, if it comes from one. */}}
{{- define "vitals-server.certificateSecret" -}}
{{- if eq .Values.tls.type "existingSecret" }}
{{- required "tls.existingSecret.name is missing: tls.type existingSecret needs the name of a Secret with tls.crt and tls.key" .Values.tls.existingSecret.name }}
{{- else }}
{{- include "vitals-server.fullname" . }}-tls
{{- end }}
{{- end }}

{{/* The CA of the APIServices, base64, as far as the chart knows it. */}}
{{- define "vitals-server.caBundle" -}}
{{- if .Values.apiService.caBundle }}
{{- .Values.apiService.caBundle | b64enc }}
{{- else if and (eq .Values.tls.type "existingSecret") .Values.tls.existingSecret.lookup }}
{{- $secret := lookup "v1" "Secret" (include "vitals-server.namespace" .) (include "vitals-server.certificateSecret" .) }}
{{- $data := $secret.data | default dict }}
{{- get $data "ca.crt" | default (get $data "tls.crt") }}
{{- end }}
{{- end }}

{{/* Whether the server has files of --pod-metrics-config and --external-query-config. */}}
{{- define "vitals-server.customMetricsFiles" -}}
{{- with .Values.customMetrics }}
{{- if and .enabled (or .config .externalQueries .secret) }}true{{ end }}
{{- end }}
{{- end }}
